"""Designs of a study of links: each declares all that sets it apart from the others."""
