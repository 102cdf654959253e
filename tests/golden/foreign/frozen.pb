

xPlaceholder"