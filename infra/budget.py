"""The budget of the account."""

from aws_cdk import aws_budgets
from constructs import Construct

from infra.config import Config

_ACTUAL_PERCENT, _FORECAST_PERCENT = 80, 100


def add_budget(scope: Construct, config: Config) -> None:
    """Let AWS Budgets write when the account has cost most of the budget, and when it is expected to cost more.

    It is about the whole account: a filter by tags counts nothing until someone has activated them for billing.
    """
    address = aws_budgets.CfnBudget.SubscriberProperty(address=config.alarm_email, subscription_type="EMAIL")
    aws_budgets.CfnBudget(
        scope,
        "Budget",
        budget=aws_budgets.CfnBudget.BudgetDataProperty(
            budget_type="COST",
            time_unit="MONTHLY",
            budget_limit=aws_budgets.CfnBudget.SpendProperty(amount=config.monthly_budget_dollars, unit="USD"),
        ),
        notifications_with_subscribers=[
            aws_budgets.CfnBudget.NotificationWithSubscribersProperty(
                notification=aws_budgets.CfnBudget.NotificationProperty(
                    notification_type=kind, comparison_operator="GREATER_THAN", threshold=percent, threshold_type="PERCENTAGE"
                ),
                subscribers=[address],
            )
            for kind, percent in (("ACTUAL", _ACTUAL_PERCENT), ("FORECASTED", _FORECAST_PERCENT))
        ],
    )
