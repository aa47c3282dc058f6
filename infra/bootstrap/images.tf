# The image that all functions run. A tag is given once; what is deployed is named by its digest.

resource "aws_ecr_repository" "store" {
  name                 = var.name
  image_tag_mutability = "IMMUTABLE"
  # Functions that run an image need it for as long as they run.
  force_delete = false

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.state.arn
  }

  lifecycle {
    prevent_destroy = true
  }
}

# Lambda pulls, for functions of this account: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
resource "aws_ecr_repository_policy" "store" {
  repository = aws_ecr_repository.store.name
  policy     = templatefile("${path.module}/policies/images.json", { partition = local.partition, account = local.account, region = var.region, name = var.name })
}

# Nothing that has a tag ever expires: which of them runs is not ECR's to know, and Lambda wants a function's image to stay. What was
# pushed without one (a build that was broken off, the parts of one for several platforms that was replaced) goes after two weeks.
resource "aws_ecr_lifecycle_policy" "store" {
  repository = aws_ecr_repository.store.name

  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "what never got a tag"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 14 }
        action       = { type = "expire" }
      },
    ]
  })
}
