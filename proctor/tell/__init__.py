"""What was kept comes in; pages, reports, comparisons and exports for people go out."""
