// implementation("dev.bedside:bedside-jni:0.1.0")
import dev.bedside.jni.*;

public class Quickstart {
    public static void main(String[] args) throws BedsideException {
        String path = "models/samples/ISIC_0012258.jpg";
        Query query = Query.builder().answer("dermatoscope", Answer.YES).answer("mole_like", Answer.YES).build();
        try (Classifier classifier = Classifier.open("models/skin-lesion/model.onnx"); Image image = Image.open(path)) {
            System.out.println(path + "\n\n" + classifier.classify(image, query));
        }
    }
}
