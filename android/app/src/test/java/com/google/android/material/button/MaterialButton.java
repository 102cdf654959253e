package com.google.android.material.button;

/** A class by this name is asked for by the accessibility checks; the app has none of it. */
public class MaterialButton extends android.widget.Button {
    public MaterialButton(android.content.Context context) {
        super(context);
    }

    public boolean isCheckable() {
        return false;
    }

    public boolean isChecked() {
        return false;
    }
}
