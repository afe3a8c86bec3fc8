"""The local backend of adjudge: llama.cpp in the process, no server and no account."""
