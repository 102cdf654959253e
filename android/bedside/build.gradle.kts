plugins {
    alias(libs.plugins.android.library)
}

/** The root of the repository, which has the sources of the bindings and the output of `cargo xtask android`. */
val repository = rootDir.resolve("..")

android {
    namespace = "dev.bedside"
    compileSdk = 35

    defaultConfig {
        minSdk = 24
        consumerProguardFiles(
            repository.resolve("bindings/kotlin/src/main/resources/META-INF/proguard/bedside-kotlin.pro"),
            repository.resolve("bindings/java/src/main/resources/META-INF/proguard/bedside-jni.pro"),
        )
    }

    sourceSets.named("main") {
        kotlin.directories += "$repository/bindings/kotlin/src/main/kotlin"
        kotlin.directories += "$repository/bindings/kotlin/src/generated/kotlin"
        java.directories += "$repository/bindings/java/src/main/java"
        // One folder for each ABI, with libbedside.so. The app's has no importer; -Pbedside.importer=true makes the AAR with it.
        val importer = providers.gradleProperty("bedside.importer").orNull == "true"
        jniLibs.directories += "$repository/target/android/${if (importer) "jniLibs" else "app-jniLibs"}"
    }
}

dependencies {
    api(libs.coroutines)
    api(libs.jna) {
        artifact {
            type = "aar"
        }
    }
}
