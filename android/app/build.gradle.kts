import javax.inject.Inject

plugins {
    alias(libs.plugins.android.application)
}

/** The repository's root: the models are there, and the library for the tests. */
val repository = rootDir.resolve("..")

/** What the library is built for, here and in `cargo xtask android`. */
val abis = listOf("arm64-v8a", "armeabi-v7a", "x86_64")

android {
    namespace = "dev.bedside.demo"
    compileSdk = 35

    defaultConfig {
        applicationId = "dev.bedside.demo"
        minSdk = 24
        targetSdk = 35
        versionCode = 1
        versionName = "0.1.0"
    }

    buildTypes {
        named("release") {
            isMinifyEnabled = true
            isShrinkResources = true
            proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"), "proguard-rules.pro")
            // A demo: signed with the key of whoever builds it.
            signingConfig = signingConfigs.getByName("debug")
        }
    }

    // One APK an ABI, and one for all of them.
    splits {
        abi {
            isEnable = true
            reset()
            include(*abis.toTypedArray())
            isUniversalApk = true
        }
    }

    packaging {
        // Left as they are in the APK, at 16 KB boundaries, and read from there.
        jniLibs.useLegacyPackaging = false
        // JNA comes for these too, Bedside does not.
        jniLibs.excludes += listOf("armeabi", "mips", "mips64", "x86").map { "**/$it/*.so" }
    }

    androidResources {
        noCompress += "onnx"
    }

    lint {
        checkDependencies = true
    }

    testOptions {
        unitTests {
            isIncludeAndroidResources = true
            all { test ->
                val host = "$repository/target/release"
                test.systemProperty("jna.library.path", host)
                test.systemProperty("bedside.library.dir", host)
                test.systemProperty("bedside.command", "$host/bedside")
                test.systemProperty("bedside.root", repository.path)
                // A JVM loads the library for one Android only.
                test.systemProperty("robolectric.enabledSdks", "35")
                // Robolectric's ParcelFileDescriptor looks into Java's.
                test.jvmArgs("--add-opens=java.base/java.io=ALL-UNNAMED")
                test.maxHeapSize = "2g"
            }
        }
    }
}

/** Lays the models out as the app asks for them: NAME/model.onnx. */
abstract class CollectModels : DefaultTask() {
    @get:InputDirectory
    @get:PathSensitive(PathSensitivity.RELATIVE)
    abstract val models: DirectoryProperty

    @get:OutputDirectory
    abstract val assets: DirectoryProperty

    @get:Inject
    abstract val files: FileSystemOperations

    @TaskAction
    fun collect() {
        files.sync {
            from(models) {
                include("*/model.onnx")
            }
            into(assets)
            includeEmptyDirs = false
        }
    }
}

val collectModels = tasks.register<CollectModels>("collectModels") {
    models = repository.resolve("models")
}

androidComponents {
    onVariants { variant ->
        variant.sources.assets?.addGeneratedSourceDirectory(collectModels, CollectModels::assets)
    }
}

dependencies {
    implementation(project(":bedside"))
    testImplementation(libs.accessibility)
    testImplementation(libs.jna)
    testImplementation(libs.junit)
    testImplementation(libs.robolectric)
}
