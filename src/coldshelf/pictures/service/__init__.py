"""Use cases of pictures, one a file: store an upload, prepare a picture, serve a preview, keep records true."""
