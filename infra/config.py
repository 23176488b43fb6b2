"""The configuration of a deployment."""

from dataclasses import dataclass

from transcoder.settings import Settings

LOG_DAYS = (1, 7, 14, 30, 90, 365)
"""The supported log retentions in days; CloudWatch has a few more."""
CLOUDFRONT, API_GATEWAY = "cloudfront", "api-gateway"
FRONTS = (CLOUDFRONT, API_GATEWAY)
"""What can be in front of the function."""
GLOBAL_REGION = "us-east-1"
"""The region in which CloudFront's certificates, web ACLs and metrics are."""


class ConfigError(Exception):
    """The context has an unknown key or an invalid value; the message says which."""


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration of a deployment. Every field is a key of `transcoder` in the context in cdk.json."""

    stack_name: str = "Transcoder"
    stage: str = ""
    """Added to the name of the stack, so that one account can have several; `--context stage=…` selects one of the context's `stages`."""
    tags: tuple[str, ...] = ()
    """Tags of everything in the stack, such as `team=video`."""
    region: str = ""
    """The region of the stack; empty means that of the CDK command line. What CloudFront needs in us-east-1 gets its own stacks there."""
    arch: str = "arm64"
    """`arm64`, which costs a fifth less, or `x86_64`; `--context arch=…` overrides it."""
    memory_mib: int = 1024
    """The function's memory. Its share of CPU is proportional: 1769 MiB give one vCPU."""
    timeout_seconds: int = 900
    """The function's timeout, at which Lambda kills an invocation: up to 900, or up to 1,800 with `timeout_beyond_900`."""
    timeout_beyond_900: bool = False
    """Whether the account allows timeouts beyond 900 s."""
    ephemeral_storage_mib: int = 512
    """The size of /tmp, where plain MP4s are made that do not go into the bucket; 512 are free."""
    concurrency: int = 0
    """The reserved concurrency: how many videos can be made at once; further requests get 429. 0 reserves none, as a new account must."""
    snap_start: bool = False
    """Start execution environments from a snapshot, behind an alias."""
    front: str = CLOUDFRONT
    """`cloudfront`, or `api-gateway`: a REST API with response streaming, where Function URLs are forbidden."""
    allowed_hosts: tuple[str, ...] = ()
    """The only hosts that sources may be on; empty means those of Reddit, and `*` in the list means any public host."""
    allowed_buckets: tuple[str, ...] = ()
    """S3 buckets whose objects are served as sources (`s3://bucket/key`); the function may read them."""
    bucket: bool = True
    """Create a bucket for finished files and for the indexes of plain MP4s."""
    file_days: int = 1
    """How many days the bucket keeps a finished file, at least; S3 deletes it at the following midnight (UTC)."""
    settings: tuple[str, ...] = ()
    """Other settings of the transcoder, each in the form of `docs/settings.md`: `TRANSCODER_ATTEMPTS=2`."""
    signing: bool = False
    """Serve only signed links. The keys are stored in Secrets Manager."""
    domain_name: str = ""
    """The domain name of the service; empty means the one that AWS assigns."""
    hosted_zone: str = ""
    """The id of the domain name's hosted zone in Route 53, in which the stack makes the certificate's and the domain name's records."""
    certificate_arn: str = ""
    """The ARN of the domain name's ACM certificate, without a hosted zone: in us-east-1, or with `api-gateway` in the region."""
    web_acl_arn: str = ""
    """The ARN of a WAF web ACL of your own: for CloudFront, or with `api-gateway` of the region; empty means none."""
    rate_limit: int = 0
    """How many requests WAF lets one address send in five minutes; 0 makes no web ACL."""
    alarm_email: str = ""
    """The address that alarms are sent to, after it has been confirmed."""
    alarm_topic_arn: str = ""
    """The ARN of an SNS topic of your own that alarms notify. Without topic and address, alarms are only displayed."""
    traffic_alarm_gb: int = 0
    """How many GB an hour CloudFront may send before there is an alarm; 0 makes none."""
    monthly_budget_dollars: int = 0
    """What the account may cost in a month before AWS Budgets writes to `alarm_email`; 0 makes no budget."""
    canary_minutes: int = 60
    """How often the canary fetches a film through the front door; 0 makes none."""
    log_days: int = 30
    """The log retention: 1, 7, 14, 30, 90 or 365."""
    info_cache_seconds: int = 60
    """How long CloudFront may cache a response of /info."""

    @property
    def full_name(self) -> str:
        """The name of the stack, with its stage."""
        return f"{self.stack_name}-{self.stage}" if self.stage else self.stack_name

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of the function."""
        hosts = {"TRANSCODER_ALLOWED_HOSTS": ",".join(self.allowed_hosts)} if self.allowed_hosts else {}
        buckets = {"TRANSCODER_ALLOWED_BUCKETS": ",".join(self.allowed_buckets)} if self.allowed_buckets else {}
        # The addresses in the page begin with a slash, and those of a REST API without a domain name with its stage.
        page = {"TRANSCODER_PAGE": "0"} if self.front == API_GATEWAY and not self.domain_name else {}
        settings = dict(setting.partition("=")[::2] for setting in self.settings)
        own = {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/transcoder-wrapper", "TRANSCODER_FFMPEG": "/opt/bin/ffmpeg"}
        return {**own, **hosts, **buckets, **page, **settings}

    @property
    def transcoder_settings(self) -> Settings:
        """The settings of the function as far as the configuration determines them."""
        return Settings.from_env(self.environment)

    @property
    def publishes_files(self) -> bool:
        """Whether the distribution sends finished files to anyone who knows their address. Not if links are signed: these expire."""
        settings = self.transcoder_settings
        signed = self.signing or settings.signing_keys or settings.signing_secret_arn
        return self.bucket and self.front == CLOUDFRONT and not signed
