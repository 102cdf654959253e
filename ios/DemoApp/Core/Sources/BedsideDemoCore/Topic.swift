// The topics of pictures: the model of each and its texts on the screens.

public enum Topic: String, CaseIterable, Codable, Sendable {
    case skin
    case chest

    /// The path of the model, in the app's bundle and in the folder `models` of the repository.
    public var modelFile: String {
        switch self {
        case .skin: "skin-lesion/model.onnx"
        case .chest: "chest-xray/model.onnx"
        }
    }

    public var title: Key {
        switch self {
        case .skin: .homeSkin
        case .chest: .homeChest
        }
    }

    public var hint: Key {
        switch self {
        case .skin: .homeSkinHint
        case .chest: .homeChestHint
        }
    }

    public var pictureHint: Key {
        switch self {
        case .skin: .pictureHintSkin
        case .chest: .pictureHintChest
        }
    }

    /// Where the danger signs come from.
    public var dangerSource: Key {
        switch self {
        case .skin: .dangerSourceSkin
        case .chest: .dangerSourceChest
        }
    }

    /// Whether pictures may come from the camera and the photo library. Else they come from files only.
    public var isPhotographed: Bool {
        switch self {
        case .skin: true
        case .chest: false
        }
    }
}
