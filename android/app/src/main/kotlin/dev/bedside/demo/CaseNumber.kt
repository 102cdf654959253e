package dev.bedside.demo

import java.security.SecureRandom
import java.text.SimpleDateFormat
import java.util.Date
import java.util.Locale
import java.util.Random

/** Letters and digits that do not look or sound like another, without vowels, so that they form no word. */
private const val CHARACTERS = "2346789CDFGHJKMNPRTWXY"

/** A case number, made on the phone: the date and four characters, such as `2026-11-23-7KMP`. */
fun caseNumber(date: Date = Date(), random: Random = SecureRandom()): String {
    val ending = List(4) { CHARACTERS[random.nextInt(CHARACTERS.length)] }
    return SimpleDateFormat("yyyy-MM-dd-", Locale.ROOT).format(date) + ending.joinToString("")
}
