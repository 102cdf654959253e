package dev.bedside.jni;

import com.google.gson.JsonObject;
import java.util.List;
import java.util.stream.StreamSupport;

/** A finding as a value: two are equal where their fields are, bit for bit. */
record FindingValue(String label, String name, float probability, float operatingPoint, boolean overOperatingPoint) {
    /** The findings of a report. */
    static List<FindingValue> of(Report report) {
        return report.getFindings().stream().map(FindingValue::from).toList();
    }

    /** The findings of a report as JSON. The shortest decimal that round-trips parses to the float itself. */
    static List<FindingValue> of(JsonObject report) {
        return StreamSupport.stream(report.getAsJsonArray("findings").spliterator(), false)
                .map(finding -> from(finding.getAsJsonObject()))
                .toList();
    }

    private static FindingValue from(Finding finding) {
        return new FindingValue(
                finding.getLabel(),
                finding.getName(),
                finding.getProbability(),
                finding.getOperatingPoint(),
                finding.isOverOperatingPoint());
    }

    private static FindingValue from(JsonObject finding) {
        return new FindingValue(
                finding.get("label").getAsString(),
                finding.get("name").getAsString(),
                Float.parseFloat(finding.get("probability").getAsString()),
                Float.parseFloat(finding.get("operating_point").getAsString()),
                finding.get("over_operating_point").getAsBoolean());
    }
}
