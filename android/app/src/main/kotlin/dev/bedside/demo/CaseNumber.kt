package dev.bedside.demo

import java.security.SecureRandom
import java.text.SimpleDateFormat
import java.util.Date
import java.util.Locale
import java.util.Random

/** No letter or digit that looks or sounds like another, and no vowel, so that no word comes of them. */
private const val SIGNS = "2346789CDFGHJKMNPRTWXY"

/** A number for a slip, made on the phone and kept nowhere: the date and four signs, such as `2026-11-23-7KMP`. */
fun caseNumber(date: Date = Date(), random: Random = SecureRandom()): String {
    val signs = List(4) { SIGNS[random.nextInt(SIGNS.length)] }
    return SimpleDateFormat("yyyy-MM-dd-", Locale.ROOT).format(date) + signs.joinToString("")
}
