"""The swap from one photo: its training, drawing, files and scores."""
