"""The addresses of that project: django-helpdesk's own.

Run by the Python of ``build/django_helpdesk``, never by ours.
"""

from django.urls import include, path

urlpatterns = [path("", include("helpdesk.urls", namespace="helpdesk"))]
