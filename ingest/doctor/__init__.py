"""A look over a centre: everything that can be wrong with it, each with its remedy. Changes nothing."""
