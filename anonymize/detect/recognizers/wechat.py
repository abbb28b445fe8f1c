"""WeChat names: a letter and 5 to 19 more characters, only behind the word."""

from __future__ import annotations

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import LabelledRecognizer


class WeChat(LabelledRecognizer):
    """微信号, 微信, wx, WeChat."""

    kind = EntityKind.WECHAT
    labels = r"微信(?:同号|账号|帐号|同號)?|(?<![A-Za-z])wx(?![a-z])|wechat|weixin|加v|加微"
    value = r"[A-Za-z][A-Za-z0-9_\-]{5,19}"
    headers = ("微信", "wechat", "weixin", "wxh", "wx")
