"""The command line: each verb parses, calls one verb of the service, and shows one answer."""
