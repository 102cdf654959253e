package dev.bedside.demo

import android.os.Bundle

private const val STEP = "step"
private const val TASK = "task"
private const val ANSWERS = "answers"
private const val SHARED = "shared"
private const val CAMERA = "camera"
private const val PICTURE = "picture"
private const val PART = "part"
private const val TAKEN = "taken"
private const val REFUSED = "refused"
private const val REFUSALS = "refusals"
private const val SHARES = "shares"
private const val SITE = "site"
private const val CASE = "case"
private const val TIME = "time"

fun Capture.save(state: Bundle) {
    state.putString(STEP, step.name)
    state.putString(TASK, task?.name)
    state.putBundle(ANSWERS, bundle(answers))
    state.putString(SHARED, shared)
    state.putString(CAMERA, camera)
    state.putString(PICTURE, picture)
    state.putDoubleArray(PART, part?.run { doubleArrayOf(left, top, width, height) })
    state.putBoolean(TAKEN, taken)
    state.putBoolean(REFUSED, refused)
    state.putInt(REFUSALS, refusals)
    state.putBundle(SHARES, bundle(shares))
    state.putString(SITE, site)
    state.putString(CASE, case)
    state.putLong(TIME, time)
}

fun savedCapture(state: Bundle): Capture = Capture(
    step = Step.valueOf(state.getString(STEP, Step.HOME.name)),
    task = state.getString(TASK)?.let(Task::valueOf),
    answers = texts(state.getBundle(ANSWERS)),
    shared = state.getString(SHARED),
    camera = state.getString(CAMERA),
    picture = state.getString(PICTURE),
    part = state.getDoubleArray(PART)?.let { (left, top, width, height) -> Part(left, top, width, height) },
    taken = state.getBoolean(TAKEN),
    refused = state.getBoolean(REFUSED),
    refusals = state.getInt(REFUSALS),
    shares = texts(state.getBundle(SHARES)),
    site = state.getString(SITE, ""),
    case = state.getString(CASE),
    time = state.getLong(TIME),
)

private fun bundle(texts: Map<String, String>) =
    Bundle().also { texts.forEach { (key, text) -> it.putString(key, text) } }

private fun texts(bundle: Bundle?): Map<String, String> =
    bundle?.keySet()?.associateWith { bundle.getString(it, "") } ?: emptyMap()
