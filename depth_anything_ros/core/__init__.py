"""Values and pure functions: cameras, depth laws, geometry, clouds, resizing, previews."""
