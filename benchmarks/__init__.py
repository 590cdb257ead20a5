"""What the product costs, measured against a bare workflow on the same server in the same run."""
