package dev.bedside.demo

import android.os.Bundle

private const val STEP = "step"
private const val TASK = "task"
private const val ANSWERS = "answers"
private const val SHARED = "shared"
private const val CAMERA = "camera"
private const val PICTURE = "picture"
private const val CASE = "case"
private const val DANGER = "danger"

fun Capture.save(state: Bundle) {
    state.putString(STEP, step.name)
    state.putString(TASK, task?.name)
    state.putBundle(ANSWERS, Bundle().also { answers.forEach { (id, answer) -> it.putString(id, answer) } })
    state.putString(SHARED, shared)
    state.putString(CAMERA, camera)
    state.putString(PICTURE, picture)
    state.putString(CASE, case)
    state.putBoolean(DANGER, danger)
}

fun savedCapture(state: Bundle): Capture {
    val answers = state.getBundle(ANSWERS) ?: Bundle()
    return Capture(
        step = Step.valueOf(state.getString(STEP, Step.HOME.name)),
        task = state.getString(TASK)?.let(Task::valueOf),
        answers = answers.keySet().associateWith { answers.getString(it, "") },
        shared = state.getString(SHARED),
        camera = state.getString(CAMERA),
        picture = state.getString(PICTURE),
        case = state.getString(CASE),
        danger = state.getBoolean(DANGER),
    )
}
