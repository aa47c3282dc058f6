"""The only place that knows AWS: adapters behind the ports, and what AWS's errors mean."""
