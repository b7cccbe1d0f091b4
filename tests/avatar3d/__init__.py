"""3D heads made by the tests, in every dialect a page may meet, and files that are none."""
