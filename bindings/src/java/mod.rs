//! Java, by JNI.
