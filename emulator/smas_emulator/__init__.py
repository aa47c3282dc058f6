"""The local AWS: LocalStack, a faithful Cognito on top of it, provisioning, and the local stack's processes.

Only `localstack_binding` imports LocalStack or moto, so that the engine underneath can change. `service/`
never imports anything from here, and nothing here imports `service/`: a test double that the product knew
would be a door.
"""
