"""A warm, confined Jupyter kernel and the talk with it: cells and questions go in, bounded data comes out."""
