// The shares of the labels: those of the calibration data, and those that a clinician enters.

package dev.bedside.demo

import dev.bedside.Manifest
import kotlin.math.abs
import org.json.JSONObject

/** How much entered shares may differ from 100 in sum, because each may be rounded to one decimal. */
private const val ROUNDING = 0.5

/**
 * The share of each shown label in the calibration data, by id, 0 to 1: of a group, the sum of its labels' shares.
 * Empty where the model does not state them.
 */
fun Manifest.calibrationShares(): Map<String, Double> {
    val json = JSONObject(this.json)
    val fitted = json.optJSONObject("calibration")?.optJSONArray("prevalence") ?: return emptyMap()
    val each = labels.mapIndexed { index, label -> label.id to fitted.getDouble(index) }.toMap()
    val members = members(json)
    return shownLabels.associate { label ->
        label.id to (members[label.id] ?: listOf(label.id)).sumOf { each.getValue(it) }
    }
}

/** The labels of each group, by the group's id. */
private fun members(manifest: JSONObject): Map<String, List<String>> {
    val groups = manifest.getJSONObject("output").optJSONArray("groups") ?: return emptyMap()
    return (0 until groups.length()).map(groups::getJSONObject).associate { group ->
        val labels = group.getJSONArray("labels")
        group.getString("id") to List(labels.length(), labels::getString)
    }
}

/**
 * The prevalence of a query, by label, of shares that were entered in percent; empty where none was. Null where they
 * are not numbers of 0 to 100 for all labels, or don't sum to 100.
 */
fun prevalence(labels: List<String>, entered: Map<String, String>): Map<String, Float>? {
    if (labels.all { entered[it].isNullOrBlank() }) return emptyMap()
    val shares = labels.map { label ->
        number(entered[label].orEmpty())?.takeIf { it in 0.0..100.0 } ?: return null
    }
    val sum = shares.sum()
    if (abs(sum - 100) > ROUNDING) return null
    return labels.zip(shares).associate { (label, share) -> label to (share / sum).toFloat() }
}
