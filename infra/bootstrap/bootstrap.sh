#!/bin/sh
# Make, or bring up to date, what must be there before the store: the bucket of Terraform's state and the repository of the image.
# Usage: infra/bootstrap/bootstrap.sh REGION [NAME]   with AWS's own credentials in the environment. Safe to repeat at any point.
set -eu

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    echo "usage: $0 REGION [NAME], as $0 eu-central-1" >&2
    exit 2
fi
region=$1
# Where the AWS CLI asks, in either of its versions, whatever the caller's own region is.
export AWS_REGION="$region" AWS_DEFAULT_REGION="$region"
name=${2:-smas}
cd "$(dirname "$0")"

account=$(aws sts get-caller-identity --query Account --output text)
bucket=$name-state-$account-$region
apply() { terraform apply -input=false -var "region=$region" -var "name=$name"; }

if aws s3api head-object --region "$region" --bucket "$bucket" --key bootstrap.tfstate >/dev/null 2>&1; then
    # Its own state is in the bucket already, whoever made it.
    key=$(aws kms describe-key --region "$region" --key-id "alias/$name-state" --query KeyMetadata.Arn --output text)
    terraform init -input=false -reconfigure \
        -backend-config="bucket=$bucket" -backend-config=key=bootstrap.tfstate -backend-config="region=$region" \
        -backend-config=encrypt=true -backend-config="kms_key_id=$key" -backend-config=use_lockfile=true
    apply
else
    # There is no bucket yet for the state that knows the bucket: it is a file here until there is one, then it moves.
    printf 'terraform {\n  backend "local" {}\n}\n' > backend_override.tf
    terraform init -input=false -reconfigure
    apply
    terraform output -raw own_state_config > state.config
    rm backend_override.tf
    terraform init -input=false -migrate-state -force-copy -backend-config=state.config
    rm -f state.config terraform.tfstate terraform.tfstate.backup
fi

terraform output -raw state_config > ../state.config
echo "the store's backend is written to infra/state.config: terraform -chdir=infra init -backend-config=state.config"
echo "push the image to $(terraform output -raw repository_url)"
