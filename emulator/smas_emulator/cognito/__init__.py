"""Amazon Cognito user pools: tokens, sign-in rules, OAuth endpoints and pages, without any emulator."""
