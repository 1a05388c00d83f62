"""A process that may do nothing: a lab's warm modules come in, confined kernels with their limits go out."""
