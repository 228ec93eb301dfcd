"""A centre's own certificate authority: who may speak for which site, for how long, and how that ends."""
