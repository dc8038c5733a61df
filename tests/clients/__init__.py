"""Public xAPI clients and public xAPI data against a running Cairn.

`test_tincan` lives the life of the Python client in every test run; `python -m tests.clients` that of the JavaScript
ones (`make clients`, needs node); `python -m tests.clients.public FILE…` sends data and compares what comes back.
"""
