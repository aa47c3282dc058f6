"""The service and the verifier as AWS Lambda calls them: an event and a context in, an answer out.

What is called is put together in ``service.lambda_handler``.
"""
