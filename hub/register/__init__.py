"""The register of products: what was released, its registration, price, use and disclosure."""
