import javax.inject.Inject

plugins {
    alias(libs.plugins.android.application)
}

/** The root of the repository, which has the models and the library for the tests. */
val repository = rootDir.resolve("..")

/** The ABIs that the library is built for, here and in `cargo xtask android`. */
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
            // The demo is signed with the debug key of the person who builds it.
            signingConfig = signingConfigs.getByName("debug")
        }
    }

    // One APK for each ABI, and one for all of them.
    splits {
        abi {
            isEnable = true
            reset()
            include(*abis.toTypedArray())
            isUniversalApk = true
        }
    }

    packaging {
        // The libraries stay uncompressed in the APK, at boundaries of 16 KiB, and are loaded from there.
        jniLibs.useLegacyPackaging = false
        // JNA has libraries for these ABIs, and Bedside has not.
        jniLibs.excludes += listOf("armeabi", "mips", "mips64", "x86").map { "**/$it/*.so" }
    }

    androidResources {
        noCompress += "prepared"
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
                // A JVM loads the native library once, so the tests run on one version of Android.
                test.systemProperty("robolectric.enabledSdks", "35")
                // Robolectric's ParcelFileDescriptor uses private fields of java.io.
                test.jvmArgs("--add-opens=java.base/java.io=ALL-UNNAMED")
                test.maxHeapSize = "2g"
            }
        }
    }
}

/** Copies the models that `cargo xtask android natives` prepared to the paths under which the app opens them. */
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
                include("*/model.prepared")
            }
            into(assets)
            includeEmptyDirs = false
        }
    }
}

val collectModels = tasks.register<CollectModels>("collectModels") {
    models = repository.resolve("target/prepared")
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
