"""Say what a picture shows; train and measure classifiers."""
