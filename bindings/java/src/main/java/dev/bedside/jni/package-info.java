/**
 * Offline image classification on the device, for Java and for apps that want no JNA: a picture in, a calibrated
 * verdict out.
 *
 * <p>{@link dev.bedside.jni.Classifier} opens a model; {@link dev.bedside.jni.Classifier#classify} takes an
 * {@link dev.bedside.jni.Image} and a {@link dev.bedside.jni.Query} and gives a {@link dev.bedside.jni.Report}. What
 * fails throws {@link dev.bedside.jni.BedsideException}, with a kind; using what was closed throws
 * {@link java.lang.IllegalStateException}. No argument may be null unless its description says so.
 *
 * <p>Every method may be called from any thread. Those that classify block for tens to hundreds of milliseconds: don't
 * call them on a thread that draws a screen.
 *
 * <p>Research software, not a medical device. Nothing leaves the device; pictures and results never enter a log.
 */
package dev.bedside.jni;
