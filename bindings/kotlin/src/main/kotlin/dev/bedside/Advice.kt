// What a person should do, by triage level.

package dev.bedside

/** The sentence of a triage level. */
public fun Advice.of(level: Triage): String = when (level) {
    Triage.NO_SIGN -> noSign
    Triage.UNASSESSED -> unassessed
    Triage.REFER -> refer
    Triage.URGENT -> urgent
}
