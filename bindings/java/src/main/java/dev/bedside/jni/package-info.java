/**
 * Offline image classification on the device, for Java and for apps without JNA. A picture goes in, and a calibrated
 * verdict comes out.
 *
 * <p>{@link dev.bedside.jni.Classifier} opens a model; {@link dev.bedside.jni.Classifier#classify} takes an
 * {@link dev.bedside.jni.Image} and a {@link dev.bedside.jni.Query} and gives a {@link dev.bedside.jni.Report}. A call
 * that fails throws {@link dev.bedside.jni.BedsideException}, which has a kind. A call on a closed object throws
 * {@link java.lang.IllegalStateException}. No argument may be null unless its description says so.
 *
 * <p>Every method may be called from any thread. Those that classify block for tens to hundreds of milliseconds: do not
 * call them on the main thread.
 *
 * <p>Research software, not a medical device. Nothing leaves the device; pictures and results never enter a log.
 */
package dev.bedside.jni;
