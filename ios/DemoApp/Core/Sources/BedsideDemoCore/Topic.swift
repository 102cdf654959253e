// The topics of pictures: the model of each and its texts on the screens.

/// In the order of the first screen.
public enum Topic: String, CaseIterable, Codable, Sendable {
    case photo
    case skin
    case breast
    case chest

    /// The path of the model in the app's bundle.
    public var modelFile: String {
        switch self {
        case .photo: "skin-photo/model.prepared"
        case .skin: "skin-lesion/model.prepared"
        case .breast: "breast-ultrasound/model.prepared"
        case .chest: "chest-xray/model.prepared"
        }
    }

    public var title: Key {
        switch self {
        case .photo: .homePhoto
        case .skin: .homeSkin
        case .breast: .homeBreast
        case .chest: .homeChest
        }
    }

    public var hint: Key {
        switch self {
        case .photo: .homePhotoHint
        case .skin: .homeSkinHint
        case .breast: .homeBreastHint
        case .chest: .homeChestHint
        }
    }

    public var pictureHint: Key {
        switch self {
        case .photo: .pictureHintPhoto
        case .skin: .pictureHintSkin
        case .breast: .pictureHintBreast
        case .chest: .pictureHintChest
        }
    }

    /// Where the danger signs come from.
    public var dangerSource: Key {
        switch self {
        case .photo, .skin: .dangerSourceSkin
        case .breast: .dangerSourceBreast
        case .chest: .dangerSourceChest
        }
    }

    /// Whether pictures may come from the camera and the photo library. Else they come from files only.
    public var isPhotographed: Bool {
        switch self {
        case .photo, .skin: true
        case .breast, .chest: false
        }
    }

    /// Whether a person brings the spot into a circle, and only that part of the picture is looked at.
    public var isCropped: Bool {
        switch self {
        case .photo: true
        case .skin, .breast, .chest: false
        }
    }

    /// Whether the slip has the site on the body.
    var hasSite: Bool {
        switch self {
        case .photo, .skin, .breast: true
        case .chest: false
        }
    }
}
