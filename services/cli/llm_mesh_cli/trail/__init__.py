"""The audit trail at the command line: where it is read, how it is verified, and the heads that an auditor keeps."""
