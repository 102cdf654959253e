// implementation("dev.bedside:bedside-kotlin:0.1.0")
import dev.bedside.*

fun main() {
    val path = "models/samples/ISIC_0012258.jpg"
    val query = Query(answers = mapOf("dermatoscope" to Answer.Yes, "mole_like" to Answer.Yes))
    val report = Classifier.open("models/skin-lesion/model.onnx").use { classifier ->
        Image.open(path).use { image -> classifier.classify(image, query) }
    }
    println("$path\n\n${report.text}")
}
