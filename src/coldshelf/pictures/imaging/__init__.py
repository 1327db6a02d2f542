"""Pictures as arrays: checked, decoded, dated, put side by side, judged, and freed of faces.

Owns no rows. Bytes come from uploads and from the object store; RGB arrays and JPEG bytes go to the jobs of pictures.
Pure: no database, no network, no event loop; the caller runs it in a thread or in a child process.
"""
