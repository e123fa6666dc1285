"""Response transforms: what policy obliges the gateway to do with an answer before its caller sees it."""
