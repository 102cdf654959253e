package dev.bedside.jni;

import com.google.gson.JsonObject;
import java.util.List;
import java.util.stream.StreamSupport;

/** A finding as a value: two are equal where they say the same, to the last bit. */
record Found(String label, String name, float probability, float operatingPoint, boolean overOperatingPoint) {
    /** All of a report's. */
    static List<Found> in(Report report) {
        return report.getFindings().stream().map(Found::of).toList();
    }

    /** All of a report's as JSON. A shortest decimal that round-trips is the float itself, once parsed. */
    static List<Found> in(JsonObject report) {
        return StreamSupport.stream(report.getAsJsonArray("findings").spliterator(), false)
                .map(finding -> of(finding.getAsJsonObject()))
                .toList();
    }

    private static Found of(Finding finding) {
        return new Found(
                finding.getLabel(),
                finding.getName(),
                finding.getProbability(),
                finding.getOperatingPoint(),
                finding.isOverOperatingPoint());
    }

    private static Found of(JsonObject finding) {
        return new Found(
                finding.get("label").getAsString(),
                finding.get("name").getAsString(),
                Float.parseFloat(finding.get("probability").getAsString()),
                Float.parseFloat(finding.get("operating_point").getAsString()),
                finding.get("over_operating_point").getAsBoolean());
    }
}
