package com.google.android.material.button;

/** The accessibility checks need a class of this name, which the app does not have. */
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
