"""The pages for people, and the program that writes the generated parts of them."""
