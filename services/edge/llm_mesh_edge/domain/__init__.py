"""What HTTP headers and extension fields mean to the mesh, and what answers and failures mean to HTTP. Free of transport."""
