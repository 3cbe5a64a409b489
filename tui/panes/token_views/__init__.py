"""The views of the Tokens tab: each answers one question about where the tokens went."""
