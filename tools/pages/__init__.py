"""The generated pages of the reference: one module a subject, each giving paths and texts."""
