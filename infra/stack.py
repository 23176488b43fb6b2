"""The stack: the function, its signing keys if links are signed, its bucket, what is in front of it, and what watches it."""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.alarms import Alarms
from infra.bucket import ServiceBucket
from infra.budget import add_budget
from infra.canary import Canary, Service
from infra.config import API_GATEWAY, GLOBAL_REGION, Config
from infra.dashboard import Dashboard
from infra.distribution import Distribution
from infra.domain import CLOUDFRONT_SCOPE, REGIONAL_SCOPE, given_for
from infra.function import Packages, TranscoderFunction
from infra.global_stacks import FrontStacks, read_outputs_of_others
from infra.notifications import Notifications
from infra.place import Place
from infra.queries import add_queries
from infra.rest_api import RestApi
from infra.signing_keys import SigningKeys
from infra.tags import add_tags
from infra.traffic import add_traffic_alarm

_DESCRIPTION = "Turns HLS playlists into MP4 files, streamed while they are made"


class TranscoderStack(Stack):
    """The stack of a deployment."""

    def __init__(
        self,
        scope: Construct,
        *,
        config: Config,
        packages: Packages,
        place: Place,
        front_stacks: FrontStacks | None = None,
    ) -> None:
        """Create all constructs. `packages` are those for the architecture in `config`."""
        super().__init__(scope, config.full_name, description=_DESCRIPTION, env=place.environment)
        read_outputs_of_others(self)
        self._config, self._packages = config, packages
        self._function = TranscoderFunction(self, "Transcoder", config=config, packages=packages)
        self._keys = SigningKeys(self, "SigningKeys", reader=self._function) if config.signing else None
        self._bucket = ServiceBucket(self, "Bucket", config=config, user=self._function) if config.bucket else None
        self._front = self._make_front(front_stacks or FrontStacks())
        self._notifications = Notifications(self, "Notifications", config=config, region=place.region)
        self._canary = self._make_canary() if config.canary_minutes else None
        self._watch(place.region)
        self._add_outputs()
        add_tags(self, config)

    @property
    def distribution(self) -> Distribution | None:
        """The CloudFront distribution; None if another front is used."""
        return self._front if isinstance(self._front, Distribution) else None

    def _make_front(self, stacks: FrontStacks) -> Distribution | RestApi:
        is_rest_api = self._config.front == API_GATEWAY
        given = given_for(
            self._config,
            acl_scope=REGIONAL_SCOPE if is_rest_api else CLOUDFRONT_SCOPE,
            certificate_in=stacks.certificate or self,
            web_acl_in=stacks.web_acl or self,
        )
        if is_rest_api:
            return RestApi(self, "Front", config=self._config, function=self._function, given=given)
        bucket = self._bucket if self._config.publishes_files else None
        return Distribution(self, "Front", config=self._config, function=self._function, bucket=bucket, given=given)

    def _make_canary(self) -> Canary:
        service = Service(self._packages, self._function, self._front.url, self._keys)
        return Canary(self, "Canary", config=self._config, service=service, notifications=self._notifications)

    def _watch(self, region: str) -> None:
        config, notifications = self._config, self._notifications
        Alarms(self, "Alarms", config=config, function=self._function, notifications=notifications)
        add_queries(self, config, self._function.log)
        self._dashboard = Dashboard(
            self, "Dashboard", config=config, function=self._function, distribution=self.distribution, canary=self._canary
        )
        if config.monthly_budget_dollars:
            add_budget(self, config)
        if config.traffic_alarm_gb and self.distribution and region == GLOBAL_REGION:
            distribution_id = self.distribution.distribution.distribution_id
            add_traffic_alarm(self, config=config, distribution_id=distribution_id, notifications=notifications)

    def _add_outputs(self) -> None:
        outputs = {
            "Page": (f"{self._front.url}/", "The web page, unless links must be signed or the front is a REST API without a domain name"),
            "Address": (self._front.url, "The base URL for callers: /download?url=…"),
            "FunctionName": (self._function.function.function_name, "The function, for `transcoder invoke --function`"),
            "LogGroup": (self._function.log.log_group_name, "The function's log group, with a metrics line for each invocation"),
            "DashboardUrl": (self._dashboard.url, "The dashboard in the console"),
            **self._front.outputs,
        }
        if self._keys:
            outputs["SigningSecretArn"] = (self._keys.secret.secret_arn, "The secret with the keys of signed links")
        if self._bucket:
            outputs["BucketName"] = (self._bucket.bucket.bucket_name, "The bucket, which has to be empty before the stack is deleted")
        if self._canary:
            outputs["CanaryLogGroup"] = (self._canary.log.log_group_name, "The canary's log group, which says why a film did not arrive")
        for name, (value, description) in outputs.items():
            CfnOutput(self, name, value=value, description=description)
