"""What is made of a programme besides calls: files, segments, streams. Nothing here encodes a picture again."""
