"""Tables, plots and the page that results become."""
