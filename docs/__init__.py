"""The pages of the documentation, which come with the package as `memwrap.pages`."""
